# The database's password and the master key of recordings. Both are made at apply and written without passing the state.

module "key" {
  source = "../key"

  name        = "${var.name}-secrets"
  description = "Secrets of ${var.name}"
}

ephemeral "random_password" "database" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret" "database_password" {
  #checkov:skip=CKV2_AWS_57:rotated by raising database_password_version, together with the database
  name       = "${var.name}/database-password"
  kms_key_id = module.key.arn
}

resource "aws_secretsmanager_secret_version" "database_password" {
  secret_id                = aws_secretsmanager_secret.database_password.id
  secret_string_wo         = ephemeral.random_password.database.result
  secret_string_wo_version = var.password_version
}

# Read back, so that an apply that was interrupted goes on with the password that was stored.
ephemeral "aws_secretsmanager_secret_version" "database_password" {
  secret_id = aws_secretsmanager_secret_version.database_password.secret_id
}

# 64 hexadecimal digits: 32 bytes, each of the 16 digits equally likely.
ephemeral "random_password" "master_key" {
  length           = 64
  upper            = false
  lower            = false
  numeric          = true
  special          = true
  override_special = "abcdef"
}

resource "aws_secretsmanager_secret" "master_key" {
  #checkov:skip=CKV2_AWS_57:it wraps the keys of recordings: another one would make them unreadable
  name                    = "${var.name}/master-key"
  kms_key_id              = module.key.arn
  recovery_window_in_days = 30

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_secretsmanager_secret_version" "master_key" {
  secret_id        = aws_secretsmanager_secret.master_key.id
  secret_string_wo = ephemeral.random_password.master_key.result
  # Never raised: recordings could not be read any more.
  secret_string_wo_version = 1

  lifecycle {
    prevent_destroy = true
  }
}

output "key_arn" {
  description = "Key that encrypts secrets."
  value       = module.key.arn
}

output "database_password" {
  description = "The database's password; never in the state."
  value       = ephemeral.aws_secretsmanager_secret_version.database_password.secret_string
  ephemeral   = true
  sensitive   = true
}

output "master_key_secret_arn" {
  description = "Secret with the master key."
  value       = aws_secretsmanager_secret.master_key.arn

  # A task that starts earlier finds no value.
  depends_on = [aws_secretsmanager_secret_version.master_key]
}

output "identifier" {
  description = "Identifier of the instance."
  value       = aws_db_instance.this.identifier
}

output "url_secret_arn" {
  description = "Secret with the postgres:// URL."
  value       = aws_secretsmanager_secret.url.arn

  # A task that starts earlier finds no value.
  depends_on = [aws_secretsmanager_secret_version.url]
}

output "issuer" {
  description = "The iss of the tokens."
  value       = "https://cognito-idp.${var.region}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}

output "client_id" {
  description = "The client_id of the tokens."
  value       = aws_cognito_user_pool_client.this.id
}

output "url" {
  description = "Address that clients use."
  value       = "https://${var.host}"
}

output "balancer_dns_name" {
  description = "Name that the DNS record of the host must point at."
  value       = module.service.balancer_dns_name
}

output "repository_url" {
  description = "Repository that the image is pushed to."
  value       = module.service.repository_url
}

output "log_group" {
  description = "Where the service logs."
  value       = module.observability.log_group_name
}

output "bucket" {
  description = "Bucket for large files."
  value       = module.storage.bucket
}

output "alarm_topic_arn" {
  description = "Topic that alarms are published to."
  value       = module.observability.topic_arn
}

output "identity" {
  description = "Issuer and client of Cognito, where it is used."
  value       = one([for identity in module.identity : { issuer = identity.issuer, client_id = identity.client_id }])
}

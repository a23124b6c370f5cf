output "balancer_dns_name" {
  description = "DNS name of the balancer."
  value       = aws_lb.this.dns_name
}

output "balancer_arn_suffix" {
  description = "How metrics call the balancer."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn_suffix" {
  description = "How metrics call the target group."
  value       = aws_lb_target_group.this.arn_suffix
}

output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "Name of the service."
  value       = aws_ecs_service.this.name
}

output "repository_url" {
  description = "Repository of images."
  value       = aws_ecr_repository.this.repository_url
}

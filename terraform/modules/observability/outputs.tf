output "log_group_name" {
  description = "Log group of the service."
  value       = aws_cloudwatch_log_group.service.name
}

output "log_group_arn" {
  description = "ARN of the log group of the service."
  value       = aws_cloudwatch_log_group.service.arn
}

output "flow_log_group_arn" {
  description = "ARN of the log group of flows."
  value       = aws_cloudwatch_log_group.flows.arn
}

output "firewall_log_group_arn" {
  description = "ARN of the log group of the firewall."
  value       = aws_cloudwatch_log_group.firewall.arn
}

output "topic_arn" {
  description = "Topic that alarms are published to."
  value       = aws_sns_topic.alarms.arn
}

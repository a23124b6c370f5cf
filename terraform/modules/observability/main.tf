# Logs under a key of ours, kept a year, and alarms on what patients and clinicians would notice.

module "key" {
  source = "../key"

  name        = "${var.name}-logs"
  description = "Logs and alarms of ${var.name}"
  services    = ["logs.${var.region}.amazonaws.com", "cloudwatch.amazonaws.com"]
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/${var.name}/service"
  retention_in_days = 365
  kms_key_id        = module.key.arn
}

resource "aws_cloudwatch_log_group" "flows" {
  name              = "/${var.name}/flows"
  retention_in_days = 365
  kms_key_id        = module.key.arn
}

# The firewall demands this beginning of the name.
resource "aws_cloudwatch_log_group" "firewall" {
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = 365
  kms_key_id        = module.key.arn
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = module.key.arn
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == "" ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  balancer = { LoadBalancer = var.balancer_arn_suffix }
  target   = { LoadBalancer = var.balancer_arn_suffix, TargetGroup = var.target_group_arn_suffix }
  database = { DBInstanceIdentifier = var.database_identifier }
  service  = { ClusterName = var.cluster_name, ServiceName = var.service_name }

  # sign, threshold, and for how many minutes
  alarms = {
    failures    = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", sign = ">", threshold = 10, minutes = 5, dimensions = local.target, about = "The service answers with errors." }
    unreachable = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", sign = ">", threshold = 10, minutes = 5, dimensions = local.balancer, about = "The balancer finds no task that answers." }
    unhealthy   = { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum", sign = ">", threshold = 0, minutes = 5, dimensions = local.target, about = "A task fails its health check." }
    slow        = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "Average", sign = ">", threshold = 2, minutes = 10, dimensions = local.target, about = "Answers take over two seconds." }
    busy        = { namespace = "AWS/ECS", metric = "CPUUtilization", statistic = "Average", sign = ">", threshold = 90, minutes = 15, dimensions = local.service, about = "The tasks are busy although they scale." }
    memory      = { namespace = "AWS/ECS", metric = "MemoryUtilization", statistic = "Maximum", sign = ">", threshold = 90, minutes = 5, dimensions = local.service, about = "A task is about to run out of memory." }
    database    = { namespace = "AWS/RDS", metric = "CPUUtilization", statistic = "Average", sign = ">", threshold = 85, minutes = 15, dimensions = local.database, about = "The database is busy." }
    connections = { namespace = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum", sign = ">", threshold = var.database_connections_limit, minutes = 5, dimensions = local.database, about = "More connections than the tasks may open." }
    # A tenth of the storage at the start, in bytes.
    storage = { namespace = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", sign = "<", threshold = var.database_storage * 107374182, minutes = 5, dimensions = local.database, about = "The database's storage runs out." }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  comparison_operator = each.value.sign == ">" ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

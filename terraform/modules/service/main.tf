# The tasks: no state, no shell, a read-only root file system, a user without rights.

locals {
  port = 8080
  # Where the image lets its user write; empty at each start.
  writable = { data = "/var/lib/seva", temporary = "/tmp" }
}

module "key" {
  source = "../key"

  name        = "${var.name}-images"
  description = "Images of ${var.name}"
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = module.key.arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  dynamic "volume" {
    for_each = local.writable

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([{
    name                   = "seva"
    image                  = "${aws_ecr_repository.this.repository_url}@${var.image_digest}"
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    # Requests in flight and the audit log have 20 seconds each.
    stopTimeout = 60

    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }

    portMappings = [{ containerPort = local.port, protocol = "tcp" }]
    mountPoints  = [for name, path in local.writable : { sourceVolume = name, containerPath = path, readOnly = false }]
    environment  = [for name, value in var.environment : { name = name, value = value }]
    secrets      = [for name, arn in var.secrets : { name = name, valueFrom = arn }]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = var.logs.group_name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = "seva"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name             = var.name
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = var.tasks.minimum
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  enable_execute_command            = false
  health_check_grace_period_seconds = 120
  # One node works on the dictations of a database: the old one stops before the new one starts.
  deployment_minimum_healthy_percent = var.tasks.maximum == 1 ? 0 : 100
  deployment_maximum_percent         = var.tasks.maximum == 1 ? 100 : 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids
    security_groups  = [var.network.service_security_group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "seva"
    container_port   = local.port
  }

  # Scaling sets the count.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.this, aws_iam_role_policy.execution]
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.tasks.minimum
  max_capacity       = var.tasks.maximum
}

# Speech recognition is bound by the processor: that is what tells load.
resource "aws_appautoscaling_policy" "this" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

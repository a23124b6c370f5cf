# Two roles: one that starts tasks, and the tasks' own, which may use the bucket and the services that are chosen.

locals {
  # What is asked of each service, with the free question of its health check. That of Transcribe is only a connection.
  actions = {
    comprehend-medical = [
      "comprehendmedical:DetectEntitiesV2",
      "comprehendmedical:InferICD10CM",
      "comprehendmedical:InferRxNorm",
      "comprehendmedical:InferSNOMEDCT",
      "comprehendmedical:ListEntitiesDetectionV2Jobs",
    ]
    transcribe         = ["transcribe:StartStreamTranscription"]
    transcribe-medical = ["transcribe:StartMedicalStreamTranscription"]
    amazon-translate   = ["translate:TranslateText", "translate:GetTerminology", "translate:ListLanguages"]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "Registry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.this.arn]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${var.logs.group_arn}:*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(var.secrets)
  }

  statement {
    sid       = "SecretsKey"
    actions   = ["kms:Decrypt"]
    resources = [var.secrets_key_arn]
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "task" {
  statement {
    sid       = "Blobs"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${var.bucket.arn}/*"]
  }

  # For the health check, and so that an object that is not there is told from one that may not be read.
  statement {
    sid       = "BlobsBucket"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket.arn]
  }

  statement {
    sid       = "BlobsKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.bucket.key_arn]
  }

  # These actions know no resources, or need none: the region is what can be bounded.
  dynamic "statement" {
    for_each = var.services

    content {
      sid       = replace(title(replace(statement.key, "-", " ")), " ", "")
      actions   = local.actions[statement.key]
      resources = ["*"]

      condition {
        test     = "StringEquals"
        variable = "aws:RequestedRegion"
        values   = [statement.value]
      }
    }
  }
}

resource "aws_iam_role_policy" "task" {
  name   = "services"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.task.json
}

# One customer-managed key with yearly rotation.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# In the policy of a key, "*" is that key.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:the account that owns the key administers it; IAM decides who in it
  #checkov:skip=CKV_AWS_111:the account that owns the key administers it; IAM decides who in it
  #checkov:skip=CKV_AWS_356:in the policy of a key the resource * is that key
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  dynamic "statement" {
    for_each = length(var.services) > 0 ? [var.services] : []

    content {
      sid       = "Services"
      actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_kms_key" "this" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

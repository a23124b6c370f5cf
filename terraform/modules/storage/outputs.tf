output "bucket" {
  description = "Name of the bucket of large files."
  value       = aws_s3_bucket.blobs.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket of large files."
  value       = aws_s3_bucket.blobs.arn
}

output "key_arn" {
  description = "Key that encrypts large files."
  value       = module.key.arn
}

output "access_log_bucket" {
  description = "Name of the bucket of access logs."
  value       = aws_s3_bucket.logs.bucket

  # The balancer proves at once that it may write.
  depends_on = [aws_s3_bucket_policy.logs]
}

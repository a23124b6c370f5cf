variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "image_digest" {
  description = "Digest of the image."
  type        = string
}

variable "cpu" {
  description = "CPU units of a task."
  type        = number
}

variable "memory" {
  description = "Memory of a task in MiB."
  type        = number
}

variable "tasks" {
  description = "The fewest and the most tasks that run."
  type        = object({ minimum = number, maximum = number })
}

variable "certificate_arn" {
  description = "ARN of the certificate of the host."
  type        = string
}

variable "network" {
  description = "Where balancer and tasks stand."
  type = object({
    id                         = string
    public_subnet_ids          = list(string)
    private_subnet_ids         = list(string)
    balancer_security_group_id = string
    service_security_group_id  = string
  })
}

variable "logs" {
  description = "Where tasks, balancer and firewall log."
  type = object({
    group_name       = string
    group_arn        = string
    access_bucket    = string
    firewall_log_arn = string
  })
}

variable "bucket" {
  description = "Bucket of large files and its key."
  type        = object({ arn = string, key_arn = string })
}

variable "services" {
  description = "Services of AWS that tasks may ask, by the engine's name in docs/operations.md, each with its region."
  type        = map(string)

  validation {
    condition = alltrue([
      for name in keys(var.services) : contains(["comprehend-medical", "transcribe", "transcribe-medical", "amazon-translate"], name)
    ])
    error_message = "comprehend-medical, transcribe, transcribe-medical and amazon-translate only."
  }
}

variable "environment" {
  description = "Variables of a task."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.environment) : startswith(name, "SEVA_")])
    error_message = "Only SEVA_ variables of docs/operations.md."
  }
}

variable "secrets" {
  description = "Variables of a task by the ARN of the secret that holds them."
  type        = map(string)

  validation {
    condition     = alltrue([for name in keys(var.secrets) : startswith(name, "SEVA_")])
    error_message = "Only SEVA_ variables of docs/operations.md."
  }
}

variable "secrets_key_arn" {
  description = "Key that encrypts secrets."
  type        = string
}

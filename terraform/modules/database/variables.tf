variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "engine_version" {
  description = "Major version of PostgreSQL."
  type        = string
}

variable "instance_class" {
  description = "Instance class."
  type        = string
}

variable "storage" {
  description = "Storage in GiB at the start."
  type        = number
}

variable "subnet_ids" {
  description = "Subnets without a route out of the network."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the database."
  type        = string
}

variable "password" {
  description = "The password; never in the state."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "password_version" {
  description = "Version of the password."
  type        = number
}

variable "secrets_key_arn" {
  description = "Key that encrypts secrets."
  type        = string
}

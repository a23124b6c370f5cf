variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "alarm_email" {
  description = "Address that alarms are mailed to; empty for none."
  type        = string
}

variable "database_identifier" {
  description = "Identifier of the database."
  type        = string
}

variable "database_storage" {
  description = "Storage of the database in GiB at the start."
  type        = number
}

variable "database_connections_limit" {
  description = "How many connections all tasks together may open, twice as many tasks during a deployment."
  type        = number
}

variable "balancer_arn_suffix" {
  description = "How metrics call the balancer."
  type        = string
}

variable "target_group_arn_suffix" {
  description = "How metrics call the target group."
  type        = string
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string
}

variable "service_name" {
  description = "Name of the service."
  type        = string
}

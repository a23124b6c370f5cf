variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "range" {
  description = "IPv4 range of the network."
  type        = string
}

variable "zones" {
  description = "Availability zones by name; add new ones at the end, since the place decides the range."
  type        = list(string)
}

variable "client_ranges" {
  description = "IPv4 ranges whose clients may connect."
  type        = list(string)
}

variable "internet_egress" {
  description = "Whether tasks may reach the internet over TLS."
  type        = bool
}

variable "endpoints" {
  description = "Further services of AWS that tasks reach over endpoints of the network."
  type        = list(string)
}

variable "log_group_arn" {
  description = "ARN of the log group of flows."
  type        = string
}

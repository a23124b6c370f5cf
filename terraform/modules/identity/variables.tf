variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "callback_urls" {
  description = "Where people may be sent after the log-in."
  type        = list(string)
}

variable "name" {
  description = "Alias of the key."
  type        = string
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "services" {
  description = "AWS services that use the key by themselves, in this account's behalf."
  type        = list(string)
  default     = []
}

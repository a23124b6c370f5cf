variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

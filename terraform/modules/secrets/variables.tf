variable "name" {
  description = "What every resource's name begins with."
  type        = string
}

variable "password_version" {
  description = "Version of the database's password."
  type        = number
}

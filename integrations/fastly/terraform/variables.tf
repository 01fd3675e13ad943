variable "domain" {
  type        = string
  description = "The domain that clients ask for."
}

variable "origin" {
  type        = string
  description = "The host name of the origin, which edgeauth guards."
}

variable "log_address" {
  type        = string
  description = "The host name of a syslog service that takes TLS on port 6514."
}

variable "scheme" {
  type        = string
  description = "The scheme of the origin: edge-auth, or message-signatures (RFC 9421)."
  default     = "edge-auth"
}

# The behaviour "Signature Header Authentication" for the settings of edgeauth at the origin, as a
# value of Terraform: jsonencode(local.g2oheader) is what the Property Manager API takes among the
# behaviors of the rule that sends requests to that origin. For JSON by hand: terraform console.
#
# edgeauth:parameter data = "X-Akamai-G2O-Auth-Data"
# edgeauth:parameter sign = "X-Akamai-G2O-Auth-Sign"
# edgeauth:parameter version = g2o_version = 5
# edgeauth:parameter string = g2o_string  = []

# What stands behind the colon in the secrets file of the origin.
variable "g2o_secret" {
  type      = string
  sensitive = true
}

# What stands before the colon: the id of the key.
variable "g2o_nonce" {
  type = string
}

locals {
  g2o_version = 5
  g2o_string  = []

  g2oheader = {
    name = "g2oheader"
    options = {
      enabled             = true
      dataHeader          = "X-Akamai-G2O-Auth-Data"
      signedHeader        = "X-Akamai-G2O-Auth-Sign"
      encodingVersion     = local.g2o_version
      useCustomSignString = length(local.g2o_string) > 0
      customSignString    = local.g2o_string
      secretKey           = var.g2o_secret
      nonce               = var.g2o_nonce
    }
  }
}

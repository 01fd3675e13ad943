# A VCL service whose requests to the origin are signed: dictionary, snippets, log endpoint.
# The VCL is that of ../vcl, the very files that the tests run.

terraform {
  required_version = ">= 1.5"
  required_providers {
    fastly = {
      source  = "fastly/fastly"
      version = ">= 5.7"
    }
  }
}

locals {
  signs = {
    "edge-auth"          = "${path.module}/../vcl/edgeauth.vcl"
    "message-signatures" = "${path.module}/../vcl/message_signatures.vcl"
  }
}

resource "fastly_service_vcl" "origin" {
  name = var.domain

  domain {
    name = var.domain
  }

  backend {
    name              = "origin"
    address           = var.origin
    override_host     = var.origin
    port              = 443
    use_ssl           = true
    ssl_cert_hostname = var.origin
    ssl_sni_hostname  = var.origin
  }

  # Write-only: its items are read by the edge and by nobody else. The secret is not put here,
  # where it would be in Terraform's state: set the item "secret" with the vendor's tool or API.
  dictionary {
    name       = "edge_auth"
    write_only = true
  }

  snippet {
    name    = "edgeauth"
    type    = "init"
    content = file(local.signs[var.scheme])
  }

  # First of all snippets: a client's credential is gone before any other code runs.
  snippet {
    name     = "edgeauth arrive"
    type     = "recv"
    content  = file("${path.module}/../vcl/snippets/recv.vcl")
    priority = 1
  }

  # Last of all snippets: another one may still change the backend.
  snippet {
    name     = "edgeauth sign a miss"
    type     = "miss"
    content  = file("${path.module}/../vcl/snippets/miss.vcl")
    priority = 1000
  }

  snippet {
    name     = "edgeauth sign a pass"
    type     = "pass"
    content  = file("${path.module}/../vcl/snippets/pass.vcl")
    priority = 1000
  }

  # A missing secret is logged here, by name: nothing else is.
  logging_syslog {
    name      = "edgeauth"
    address   = var.log_address
    port      = 6514
    use_tls   = true
    placement = "none"
  }
}

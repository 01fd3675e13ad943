# Sends a constant secret to the origin, for edgeauth with scheme = "shared-secret".
#
# Whoever sees one request can send any other until the secret is changed: prefer the signed
# header of edgeauth.vcl. The names are the same, so that one file can take the other's place.
#
# Include this file in custom VCL, or save it as a snippet of type "init". Then call
#
#   edgeauth_arrive          first thing in vcl_recv
#   edgeauth_sign            in vcl_miss and in vcl_pass
#   edgeauth_sign_upgrade    in vcl_recv, right before return(upgrade)
#
# edgeauth:parameter header = Edge-Auth
# edgeauth:parameter dictionary = edge_auth

# Only the edge may write this header. A pass is for the direct way to the origin alone.
# @scope: recv
sub edgeauth_arrive {
  unset req.http.Edge-Auth;
  unset req.http.Edge-Auth-Pass;
}

# Only the origin gets the secret: not a shield, whose logs are one more place to leak it.
# @scope: miss, pass
sub edgeauth_sign {
  if (req.backend.is_origin) {
    set bereq.http.Edge-Auth = edgeauth_value();
  }
}

# An upgrade leaves VCL in vcl_recv, so req is all there is. Choose the backend first.
# @scope: recv
sub edgeauth_sign_upgrade {
  if (!req.backend.is_shield) {
    set req.http.Edge-Auth = edgeauth_value();
  }
}

# @scope: recv, miss, pass
sub edgeauth_value STRING {
  declare local var.secret STRING;
  set var.secret = table.lookup(edge_auth, "secret", "");
  if (var.secret == "") {
    log "syslog " + req.service_id + " edgeauth :: edgeauth: no item secret in dictionary edge_auth: the origin will refuse " + req.url.path;
  }
  return var.secret;
}

# Signs every request that leaves for the origin, for edgeauth to verify there.
#
# Include this file in custom VCL, or save it as a snippet of type "init". Then call
#
#   edgeauth_arrive          first thing in vcl_recv
#   edgeauth_sign            in vcl_miss and in vcl_pass
#   edgeauth_sign_upgrade    in vcl_recv, right before return(upgrade)
#
# The secret is the item "secret" of a dictionary. A missing secret is logged to the logging
# endpoint "edgeauth", and the origin refuses the request.
#
# edgeauth:parameter header = Edge-Auth
# edgeauth:parameter dictionary = edge_auth

# Only the edge may write this header. On a shield this also removes what the first POP sent. A
# pass is for the direct way to the origin alone.
# @scope: recv
sub edgeauth_arrive {
  unset req.http.Edge-Auth;
  unset req.http.Edge-Auth-Pass;
}

# Miss and pass both lead to a fetch, and only there is it known whether the fetch goes to the
# origin or to a shield. Signing at the last hop makes the age and the POP what the origin sees.
# @scope: miss, pass
sub edgeauth_sign {
  if (req.backend.is_origin) {
    set bereq.http.Edge-Auth = edgeauth_value();
  }
}

# An upgrade leaves VCL in vcl_recv, so req is all there is to sign. Choose the backend first.
# @scope: recv
sub edgeauth_sign_upgrade {
  if (!req.backend.is_shield) {
    set req.http.Edge-Auth = edgeauth_value();
  }
}

# <unix time>,<POP>,0x<HMAC-SHA256 of what stands before the last comma>
# @scope: recv, miss, pass
sub edgeauth_value STRING {
  declare local var.secret STRING;
  declare local var.signed STRING;
  declare local var.value STRING;
  set var.secret = table.lookup(edge_auth, "secret", "");
  set var.signed = now.sec + "," + server.datacenter;
  # With an empty signature the origin refuses, and its log asks for the secret too.
  set var.value = var.signed + ",";
  if (var.secret == "") {
    log "syslog " + req.service_id + " edgeauth :: edgeauth: no item secret in dictionary edge_auth: the origin will refuse " + req.url.path;
  } else {
    set var.value = var.value + digest.hmac_sha256(var.secret, var.signed);
  }
  return var.value;
}

# Signs every request that leaves for the origin with an HTTP Message Signature (RFC 9421), for
# edgeauth with scheme = "message-signatures": method, host, path, query, time and a nonce.
#
# The names are those of edgeauth.vcl, so that this file can take its place. Include it in custom
# VCL, or save it as a snippet of type "init". Then call
#
#   edgeauth_arrive          first thing in vcl_recv
#   edgeauth_sign            last thing in vcl_miss and in vcl_pass: after whatever changes
#                            bereq.url or bereq.http.Host
#   edgeauth_sign_upgrade    in vcl_recv, right before return(upgrade)
#
# The item "key" of a dictionary is a line of the origin's secrets file, id:secret. A key that is
# missing is logged to the logging endpoint "edgeauth", and the origin refuses the request. Where
# the backend has an override host, the item "host" is that name: VCL does not see it.
#
# edgeauth:parameter dictionary = edge_auth
# edgeauth:parameter tag = "edge"
# edgeauth:fixed scheme = "https"
# edgeauth:fixed components = "@method", "@authority", "@path", "@query"

# Only the CDN may write these fields. On a shield this also removes what the first POP sent. A
# pass is for the direct way to the origin alone.
# @scope: recv
sub edgeauth_arrive {
  unset req.http.Signature-Input;
  unset req.http.Signature;
  unset req.http.Edge-Auth-Pass;
}

# Miss and pass both lead to a fetch, and only there is it known whether the fetch goes to the
# origin or to a shield. A restart comes by here again, and is signed anew.
# @scope: miss, pass
sub edgeauth_sign {
  declare local var.input STRING;
  declare local var.base STRING;
  if (req.backend.is_origin) {
    set var.input = edgeauth_input();
    if (var.input != "") {
      # bereq.method, for a HEAD that misses leaves as a GET.
      set var.base = {""@method": "} + bereq.method + LF;
      set var.base = var.base + {""@authority": "} + regsub(std.tolower(table.lookup(edge_auth, "host", bereq.http.Host)), ":0*(443)?$", "") + LF;
      set var.base = var.base + {""@path": "} + regsub(bereq.url, "\?.*$", "") + LF;
      set var.base = var.base + {""@query": ?"} + regsub(bereq.url, "^[^?]*\??", "") + LF;
      set var.base = var.base + {""@signature-params": "} + var.input;
      set bereq.http.Signature-Input = "edge=" + var.input;
      set bereq.http.Signature = "edge=:" + digest.hmac_sha256_base64(edgeauth_secret(), var.base) + ":";
    }
  }
}

# An upgrade leaves VCL in vcl_recv, so req is all there is to sign. Choose the backend first.
# @scope: recv
sub edgeauth_sign_upgrade {
  declare local var.input STRING;
  declare local var.base STRING;
  if (!req.backend.is_shield) {
    set var.input = edgeauth_input();
    if (var.input != "") {
      set var.base = {""@method": "} + req.method + LF;
      set var.base = var.base + {""@authority": "} + regsub(std.tolower(table.lookup(edge_auth, "host", req.http.Host)), ":0*(443)?$", "") + LF;
      set var.base = var.base + {""@path": "} + regsub(req.url, "\?.*$", "") + LF;
      set var.base = var.base + {""@query": ?"} + regsub(req.url, "^[^?]*\??", "") + LF;
      set var.base = var.base + {""@signature-params": "} + var.input;
      set req.http.Signature-Input = "edge=" + var.input;
      set req.http.Signature = "edge=:" + digest.hmac_sha256_base64(edgeauth_secret(), var.base) + ":";
    }
  }
}

# What is signed and how, with a nonce of its own each time; empty without a key. The id is looked
# for with its colon: a secret alone must not be taken for an id, which is sent.
# @scope: recv, miss, pass
sub edgeauth_input STRING {
  declare local var.input STRING;
  set var.input = "";
  if (table.lookup(edge_auth, "key", "") ~ "^([A-Za-z0-9._-]{1,64}):[ ]*[^ ]") {
    set var.input = {"("@method" "@authority" "@path" "@query");created="} + now.sec + {";keyid=""} + re.group.1 + {"";nonce=""} + uuid.version4() + {"";tag="edge""};
  } else {
    log "syslog " + req.service_id + " edgeauth :: edgeauth: no item key with id:secret in dictionary edge_auth: the origin will refuse " + req.url.path;
  }
  return var.input;
}

# @scope: recv, miss, pass
sub edgeauth_secret STRING {
  return regsub(table.lookup(edge_auth, "key", ""), "^[^:]*:[ ]*", "");
}

# A whole custom VCL: the vendor's boilerplate with the calls of edgeauth.vcl in their places.

include "edgeauth";

sub vcl_recv {
  call edgeauth_arrive;
  #FASTLY recv
  # Remove these four lines unless the WebSockets product is enabled on the service.
  if (req.http.Upgrade) {
    call edgeauth_sign_upgrade;
    # falco-ignore-next-line
    return(upgrade);
  }
  if (req.method != "HEAD" && req.method != "GET" && req.method != "FASTLYPURGE") {
    return(pass);
  }
  return(lookup);
}

sub vcl_hash {
  set req.hash += req.url;
  set req.hash += req.http.host;
  #FASTLY hash
  return(hash);
}

sub vcl_hit {
  #FASTLY hit
  return(deliver);
}

sub vcl_miss {
  #FASTLY miss
  call edgeauth_sign;
  return(fetch);
}

sub vcl_pass {
  #FASTLY pass
  call edgeauth_sign;
  return(pass);
}

sub vcl_fetch {
  #FASTLY fetch
  if (beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?:private|no-store)") {
    return(pass);
  }
  return(deliver);
}

sub vcl_error {
  #FASTLY error
  return(deliver);
}

sub vcl_deliver {
  #FASTLY deliver
  return(deliver);
}

sub vcl_log {
  #FASTLY log
}

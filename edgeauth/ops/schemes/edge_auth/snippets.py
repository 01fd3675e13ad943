"""What makes an edge sign ``Edge-Auth``, by its name: files below ``integrations/``."""

SNIPPETS = {
    "vcl": "fastly/vcl/edgeauth.vcl",
    "compute-js": "fastly/compute-js/src/edgeauth.js",
    "compute-rust": "fastly/compute-rust/src/lib.rs",
}

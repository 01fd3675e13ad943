"""A stand-in for a POP, for local development: signs requests and forwards them.

``edgeauth edge`` runs it; it needs the extra ``edge``. Not for production: it neither caches
nor terminates TLS, and whoever reaches it can send signed requests to the upstream. It may import
the proof and ``ops/schemes``. Only ``ops/cli`` may import it.
"""

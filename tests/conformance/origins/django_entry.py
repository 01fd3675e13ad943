"""What the servers run of the Django site."""

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from conformance.origins.mount import asgi_mounted, wsgi_mounted

asgi = asgi_mounted(get_asgi_application())
wsgi = wsgi_mounted(get_wsgi_application())

"""The pages of the site."""

from django.urls import path

from example_apps.django_site import views

urlpatterns = [
    path("", views.index),
    path("async", views.index_async),
    path("healthz", views.healthz),
]

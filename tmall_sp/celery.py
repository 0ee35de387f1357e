"""The Celery application: started by `celery -A tmall_sp worker` and `celery -A tmall_sp beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmall_sp.settings")

app = Celery("tmall_sp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

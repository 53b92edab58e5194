"""The application for a WSGI server: `gunicorn wsgi:app`, `FLASK_APP=wsgi`."""

from school_portal import create_site

app = create_site()

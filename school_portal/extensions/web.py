"""The extensions that only the whole portal binds: migrations, and what pages need."""

from __future__ import annotations

from flask_babel import Babel
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from school_portal.extensions.proxy import visitor_address

migrate = Migrate(render_as_batch=True, compare_type=True)
csrf = CSRFProtect()
login = LoginManager()
limiter = Limiter(key_func=visitor_address)
babel = Babel()

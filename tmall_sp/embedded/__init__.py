"""PostgreSQL and Redis for development, tests and the demo, run from wheels beside the portal.

`services.running(run_dir)` is the way in. Production never starts anything from here; its settings
import only the two pure functions `postgres.dsn` and `redis.url`.
"""

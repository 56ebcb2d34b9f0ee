"""What Alembic runs: the steps, inside the transaction that `migrate.upgrade` has begun."""

from alembic import context

from threadcast.queue.store.migrate import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()

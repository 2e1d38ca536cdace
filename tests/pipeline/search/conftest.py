"""Tables of vectors, and what is asked of them."""

from tests.pipeline.vectors.conftest import archive, table_of  # noqa: F401  # fixtures

"""How the browser's files are named: by their content, their imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModulesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """A module's name changes with every module that it imports: no page mixes versions.

    Modules must not import each other in a circle: such names have no end.
    """

    support_js_module_import_aggregation = True
    # One for each step of the longest chain of imports, and one to see that it is over.
    max_post_process_passes = 12

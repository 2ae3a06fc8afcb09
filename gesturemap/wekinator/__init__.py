"""Files of others, both ways: Wekinator projects and FluCoMa data sets.

``project.py`` says what is in a project, ``reading.py`` and ``writing.py`` turn folders into that and back,
``networks.py`` runs the networks a project describes, ``conversion.py`` joins projects with recordings and mappings,
``flucoma.py`` has the data sets. Nothing a file holds is ever executed or built: Java's serialised objects are
written as plain bytes and never read.
"""

from gesturemap.wekinator.conversion import export_project, import_mapping, import_project
from gesturemap.wekinator.flucoma import export_flucoma, import_flucoma
from gesturemap.wekinator.project import Project, ProjectOutput
from gesturemap.wekinator.reading import read_project
from gesturemap.wekinator.writing import write_project

__all__ = [
    "Project",
    "ProjectOutput",
    "export_flucoma",
    "export_project",
    "import_flucoma",
    "import_mapping",
    "import_project",
    "read_project",
    "write_project",
]

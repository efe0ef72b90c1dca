"""What pyproject.toml cannot say: two folders of data lie beside the package and travel inside it.

``assets/`` and ``presets/`` stay at the top of the repository; in a wheel they are ``pixgen/assets`` and
``pixgen/presets``, where ``pixgen.paths`` finds them.
"""

from setuptools import find_namespace_packages, setup

# Namespace packages, since to setuptools a folder of data is one.
packages = find_namespace_packages(include=["pixgen", "pixgen.*"], exclude=["*.__pycache__"])
for folder in ("assets", "presets"):
    packages += [f"pixgen.{folder}"]
    packages += [f"pixgen.{folder}.{name}" for name in find_namespace_packages(folder)]

setup(
    packages=packages,
    package_dir={"pixgen.assets": "assets", "pixgen.presets": "presets"},
    package_data={"": ["*"]},  # scripts and styles of the page, drawings, models
)

"""Conan 2 recipe of Kindred: a header-only library with an optional component for model files."""
import os

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class KindredConan(ConanFile):
    name = "kindred"
    version = "0.1.0"
    description = "Recommendations from implicit feedback: exact and fast matrix factorisation, ranking, evaluation"
    license = "MIT"
    topics = ("recommender-system", "matrix-factorization", "implicit-feedback", "als", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"persistence": [True, False]}
    default_options = {"persistence": True}
    no_copy_source = True

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        copy(self, "LICENSE", root, self.export_sources_folder)
        copy(self, "*", os.path.join(root, "include"), os.path.join(self.export_sources_folder, "include"))

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)
        if self.options.persistence:
            self.requires("nlohmann_json/3.11.2", transitive_headers=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        excludes = None if self.options.persistence else "kindred/persistence/*"
        copy(self, "*", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"), excludes=excludes)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "kindred")
        self.cpp_info.set_property("pkg_config_name", "kindred")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "kindred::kindred")
        core.includedirs = ["include"]
        core.requires = ["eigen::eigen"]
        core.bindirs = []
        core.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        if self.options.persistence:
            persistence = self.cpp_info.components["persistence"]
            persistence.set_property("cmake_target_name", "kindred::persistence")
            persistence.includedirs = ["include"]
            persistence.requires = ["core", "nlohmann_json::nlohmann_json"]
            persistence.bindirs = []
            persistence.libdirs = []

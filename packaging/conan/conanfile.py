"""Conan 2 recipe of Kindred: a header-only library with optional components for Eigen and for model files."""
import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
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
    options = {"with_eigen": [True, False], "persistence": [True, False]}
    default_options = {"with_eigen": True, "persistence": True}
    no_copy_source = True

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        copy(self, "LICENSE", root, self.export_sources_folder)
        copy(self, "*", os.path.join(root, "include"), os.path.join(self.export_sources_folder, "include"))

    def layout(self):
        basic_layout(self)

    def requirements(self):
        if self.options.with_eigen:
            self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.persistence:
            self.requires("nlohmann_json/3.11.2", transitive_headers=True)

    def package_id(self):
        # Headers are the same for every compiler, but not for every option.
        self.info.settings.clear()
        self.info.requires.clear()

    def validate(self):
        try:
            check_min_cppstd(self, 20)
        except ConanInvalidConfiguration as error:
            raise ConanInvalidConfiguration(f"{error} Kindred needs C++20: add -s compiler.cppstd=20, or set it in the profile.") from error

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        excludes = []
        if not self.options.with_eigen:
            excludes.append("kindred/eigen.hpp")
        if not self.options.persistence:
            excludes.append("kindred/persistence/*")
        copy(self, "*", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"), excludes=excludes)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "kindred")
        self.cpp_info.set_property("pkg_config_name", "kindred")
        core = self._component("core", "kindred::kindred", [])
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        if self.options.with_eigen:
            self._component("eigen", "kindred::eigen", ["core", "eigen::eigen"])
        if self.options.persistence:
            self._component("persistence", "kindred::persistence", ["core", "nlohmann_json::nlohmann_json"])

    def _component(self, name, target, requires):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", target)
        component.includedirs = ["include"]
        component.requires = requires
        component.bindirs = []
        component.libdirs = []
        return component

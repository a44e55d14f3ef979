"""Runs the Conan recipe and its test_package against stand-ins for the conan modules: python3 conan.py ROOT WORK COMPILER VERSION [EIGEN]

What Conan does around a recipe (dependency graph, profiles, package ids, CMakeDeps) is imitated here in a few lines; Conan itself is not run. EIGEN: a folder
of Eigen's headers, if there is one.
"""
import importlib.util
import itertools
import os
import pathlib
import shutil
import sys

root, work, compiler, version = sys.argv[1:5]
eigen = sys.argv[5] if len(sys.argv) > 5 else ""
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "conan_stub"))
import conan  # noqa: E402
from conan.errors import ConanInvalidConfiguration  # noqa: E402


def recipe(path, class_name):
    spec = importlib.util.spec_from_file_location(class_name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, class_name)


def check(condition, message):
    if not condition:
        sys.exit(f"conan: {message}")


def profile(**others):
    return {"os": "Linux", "arch": "x86_64", "build_type": "Release", "compiler": "gcc", "compiler.version": "12", "compiler.cppstd": "20", **others}


def kindred_recipe(settings, options):
    return recipe(os.path.join(root, "packaging/conan/conanfile.py"), "KindredConan")(settings, options)


def packaged(with_eigen, persistence):
    """The recipe run from export to package_info; returns it and its package id."""
    folder = os.path.join(work, f"eigen_{with_eigen}_persistence_{persistence}")
    kindred = kindred_recipe(profile(), {"with_eigen": with_eigen, "persistence": persistence})
    check(kindred.name == "kindred" and kindred.version == version, f"the recipe is of {kindred.name}/{kindred.version}")
    kindred.recipe_folder = os.path.join(root, "packaging/conan")
    kindred.export_sources_folder = kindred.source_folder = os.path.join(folder, "source")
    kindred.package_folder = os.path.join(folder, "package")
    kindred.export_sources()
    kindred.layout()
    kindred.requirements()
    kindred.validate()
    package_id = kindred.compute_package_id()
    kindred.package()
    kindred.package_info()
    headers = os.path.join(kindred.package_folder, "include/kindred")
    check(os.path.exists(os.path.join(headers, "kindred.hpp")), "the umbrella header is not packaged")
    check(os.path.exists(os.path.join(headers, "simd/kernels_level.inl")), "the kernels are not packaged")
    check(os.path.exists(os.path.join(kindred.package_folder, "licenses/LICENSE")), "the licence is not packaged")
    for present, header, requirement, component in ((with_eigen, "eigen.hpp", "eigen/", "eigen"),
                                                    (persistence, "persistence", "nlohmann_json/", "persistence")):
        check(os.path.exists(os.path.join(headers, header)) == present, f"{header} is packaged wrongly")
        check(any(r.startswith(requirement) for r in kindred.required) == present, f"{requirement} is required wrongly")
        check((component in kindred.cpp_info.components) == present, f"component {component} is declared wrongly")
    used = {name.split("::")[0] for component in kindred.cpp_info.components.values() for name in component.requires if "::" in name}
    check(used == {reference.split("/")[0] for reference in kindred.required}, f"components use {used}, the recipe requires {list(kindred.required)}")
    return kindred, package_id


def write_config(kindred, folder):
    """What CMakeDeps generates of cpp_info, in short."""
    external = {"eigen::eigen": "Eigen3::Eigen", "nlohmann_json::nlohmann_json": "nlohmann_json::nlohmann_json", "core": "kindred::kindred"}
    lines = ["find_package(Threads REQUIRED)", "find_package(nlohmann_json QUIET)", "add_library(Eigen3::Eigen INTERFACE IMPORTED)",
             f'target_include_directories(Eigen3::Eigen INTERFACE "{eigen}")']
    for component in kindred.cpp_info.components.values():
        target = component.properties["cmake_target_name"]
        links = [external[name] for name in component.requires] + component.system_libs
        include = ";".join(os.path.join(kindred.package_folder, d) for d in component.includedirs)
        lines += [f"add_library({target} INTERFACE IMPORTED)",
                  f'target_include_directories({target} INTERFACE "{include}")',
                  f"target_compile_features({target} INTERFACE cxx_std_20)",
                  f'target_link_libraries({target} INTERFACE {" ".join(links)})']
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, kindred.cpp_info.properties["cmake_file_name"] + "-config.cmake"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def id_of(settings):
    kindred = kindred_recipe(settings, {})
    kindred.requirements()
    return kindred.compute_package_id()


shutil.rmtree(work, ignore_errors=True)
packages = {options: packaged(*options) for options in itertools.product((False, True), repeat=2)}
ids = [package_id for _, package_id in packages.values()]
check(len(set(ids)) == len(ids), f"packages of different options share an id: {ids}")
check({id_of(profile()), id_of(profile(**{"compiler": "clang", "compiler.version": "16", "build_type": "Debug"}))} == {packages[True, True][1]},
      "the id of headers depends on the compiler, or the options are not all on by default")

# The default profile of g++ has gnu17, another may have none: both are told what to add. The README's command adds it.
for cppstd in ("gnu17", "17", None):
    settings = profile(**{"compiler.cppstd": cppstd})
    try:
        kindred_recipe(settings, {}).validate()
        check(False, f"cppstd {cppstd} was not refused")
    except ConanInvalidConfiguration as error:
        check("-s compiler.cppstd=20" in str(error), f"the refusal of cppstd {cppstd} does not say what to add: {error}")
for cppstd in ("20", "gnu20", "23", "gnu23"):
    kindred_recipe(profile(**{"compiler.cppstd": cppstd}), {}).validate()
check("conan create packaging/conan -s compiler.cppstd=20" in pathlib.Path(root, "README.md").read_text(encoding="utf-8"),
      "the README's command does not ask for C++20")

kindred = packages[True, True][0]
generators = os.path.join(work, "generators")
write_config(kindred, generators)
test_source = os.path.join(root, "packaging/conan/test_package")
test = recipe(os.path.join(test_source, "conanfile.py"), "KindredTestConan")(profile(), {})
test.tested_reference_str = f"kindred/{version}"
test.build_folder = os.path.join(work, "test_package")
test.cpp = conan.Namespace(build=conan.Namespace(bindir=test.build_folder))
test.cmake_configure = ["cmake", "-S", test_source, "-B", test.build_folder, f"-DCMAKE_PREFIX_PATH={generators}",
                        f"-DCMAKE_CXX_COMPILER={compiler}"]
test.requirements()
check(list(test.required) == [f"kindred/{version}"], "test_package does not require the package")
test.layout()
test.build()
test.test()

"""Runs the Conan recipe and its test_package against stand-ins for the conan modules: python3 conan.py ROOT WORK COMPILER VERSION.

What Conan does around a recipe (dependency graph, profiles, CMakeDeps) is imitated here in a few lines; Conan itself is not run.
"""
import importlib.util
import os
import shutil
import sys

root, work, compiler, version = sys.argv[1:5]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "conan_stub"))
import conan  # noqa: E402


def recipe(path, class_name):
    spec = importlib.util.spec_from_file_location(class_name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, class_name)


def check(condition, message):
    if not condition:
        sys.exit(f"conan: {message}")


def packaged(persistence):
    """The recipe run from export to package_info; returns it."""
    folder = os.path.join(work, "with" if persistence else "without")
    settings = conan.Namespace(os="Linux", arch="x86_64", build_type="Release", cppstd="20")
    kindred = recipe(os.path.join(root, "packaging/conan/conanfile.py"), "KindredConan")(settings, {"persistence": persistence})
    check(kindred.name == "kindred" and kindred.version == version, f"the recipe is of {kindred.name}/{kindred.version}")
    kindred.recipe_folder = os.path.join(root, "packaging/conan")
    kindred.export_sources_folder = kindred.source_folder = os.path.join(folder, "source")
    kindred.package_folder = os.path.join(folder, "package")
    kindred.export_sources()
    kindred.layout()
    kindred.requirements()
    kindred.validate()
    kindred.package()
    kindred.package_info()
    kindred.package_id()
    headers = os.path.join(kindred.package_folder, "include/kindred")
    check(os.path.exists(os.path.join(headers, "kindred.hpp")), "the umbrella header is not packaged")
    check(os.path.exists(os.path.join(headers, "simd/kernels_level.inl")), "the kernels are not packaged")
    check(os.path.exists(os.path.join(kindred.package_folder, "licenses/LICENSE")), "the licence is not packaged")
    check(os.path.isdir(os.path.join(headers, "persistence")) == persistence, "persistence is packaged wrongly")
    check(any(r.startswith("nlohmann_json/") for r in kindred.required) == persistence, "nlohmann_json is required wrongly")
    check(("persistence" in kindred.cpp_info.components) == persistence, "component persistence is declared wrongly")
    return kindred


def write_config(kindred, folder):
    """What CMakeDeps generates of cpp_info, in short."""
    external = {"eigen::eigen": "Eigen3::Eigen", "nlohmann_json::nlohmann_json": "nlohmann_json::nlohmann_json", "core": "kindred::kindred"}
    lines = ["find_package(Eigen3 REQUIRED NO_MODULE)", "find_package(nlohmann_json QUIET)"]
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


shutil.rmtree(work, ignore_errors=True)
packaged(persistence=False)
kindred = packaged(persistence=True)
try:
    old = conan.Namespace(os="Linux", arch="x86_64", build_type="Release", cppstd="17")
    recipe(os.path.join(root, "packaging/conan/conanfile.py"), "KindredConan")(old, {}).validate()
    check(False, "C++17 was not refused")
except ValueError:
    pass

generators = os.path.join(work, "generators")
write_config(kindred, generators)
test_source = os.path.join(root, "packaging/conan/test_package")
test = recipe(os.path.join(test_source, "conanfile.py"), "KindredTestConan")(kindred.settings, {})
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

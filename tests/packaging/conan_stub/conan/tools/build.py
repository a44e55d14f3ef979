from conan.errors import ConanInvalidConfiguration


def check_min_cppstd(conanfile, cppstd):
    current = conanfile.settings.get_safe("compiler.cppstd")
    if current is None:
        raise ConanInvalidConfiguration("The compiler.cppstd is not defined for this configuration")
    if int(current.replace("gnu", "")) % 98 < int(cppstd):  # 98 is the oldest
        raise ConanInvalidConfiguration(f"Current cppstd ({current}) is lower than the required C++ standard ({cppstd}).")


def can_run(conanfile):
    return True

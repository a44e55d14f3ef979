def check_min_cppstd(conanfile, cppstd):
    if int(conanfile.settings.cppstd) < int(cppstd):
        raise ValueError(f"C++{cppstd} is needed, not C++{conanfile.settings.cppstd}")


def can_run(conanfile):
    return True

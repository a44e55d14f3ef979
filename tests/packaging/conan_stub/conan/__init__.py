"""As much of Conan 2 as the recipe uses: enough to run it, not Conan itself."""


class _Properties:
    def __init__(self):
        self.properties = {}
        self.includedirs = ["include"]
        self.libdirs = ["lib"]
        self.bindirs = ["bin"]
        self.requires = []
        self.system_libs = []

    def set_property(self, name, value):
        self.properties[name] = value


class CppInfo(_Properties):
    def __init__(self):
        super().__init__()
        self.components = {}

    class _Components(dict):
        def __missing__(self, name):
            self[name] = _Properties()
            return self[name]

    def with_components(self):
        self.components = CppInfo._Components()
        return self


class Namespace:
    def __init__(self, **values):
        self.__dict__.update(values)


class ConanFile:
    settings = ()
    options = {}
    default_options = {}

    def __init__(self, settings, options):
        unknown = set(options) - set(self.options)
        if unknown:
            raise ValueError(f"options that the recipe does not declare: {unknown}")
        self.settings = settings
        self.options = Namespace(**{**self.default_options, **options})
        self.required = {}
        self.cpp_info = CppInfo().with_components()
        self.info = Namespace(clear=lambda: None)

    def requires(self, reference, **traits):
        self.required[reference] = traits

    def run(self, command, env=None):
        import subprocess

        subprocess.run(command, shell=True, check=True)

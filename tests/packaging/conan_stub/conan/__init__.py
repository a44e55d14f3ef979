"""As much of Conan 2 as the recipe uses: enough to run it, not Conan itself."""
import hashlib


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


class Settings:
    """Of a profile, by their full names: Settings({"os": "Linux", "compiler": "gcc", "compiler.cppstd": "20"})."""

    def __init__(self, values):
        self._values = dict(values)

    def get_safe(self, name, default=None):
        return self._values.get(name, default)

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"settings.{name} is not one of {list(self._values)}")
        return self._values[name]


class _Section(dict):
    """A part of what a package id is made of; package_id() may clear it or delete a name."""


class _Info:
    """What a package id is the hash of, as package_id() leaves it."""

    def __init__(self, settings, options, requires):
        self.settings = _Section(settings)
        self.options = _Section(options)
        self.requires = _Section(requires)

    def clear(self):
        for section in (self.settings, self.options, self.requires):
            section.clear()

    def package_id(self):
        text = "\n".join(f"[{name}]\n{sorted(getattr(self, name).items())}" for name in ("settings", "options", "requires"))
        return hashlib.sha1(text.encode()).hexdigest()


class ConanFile:
    settings = ()
    options = {}
    default_options = {}

    def __init__(self, settings, options):
        for name, value in options.items():
            if value not in self.options.get(name, ()):
                raise ValueError(f"option {name}={value} is not one that the recipe declares: {self.options}")
        declared = {name: value for name, value in settings.items() if name.split(".")[0] in self.settings}
        values = {**self.default_options, **options}
        if set(values) != set(self.options):
            raise ValueError(f"options without a default: {set(self.options) - set(values)}")
        self.settings = Settings(declared)
        self.options = Namespace(**values)
        self.required = {}
        self.cpp_info = CppInfo().with_components()
        self._declared, self._values = declared, values

    def requires(self, reference, **traits):
        self.required[reference] = traits

    def compute_package_id(self):
        """As Conan does after requirements() and validate()."""
        self.info = _Info(self._declared, self._values, {reference: "" for reference in self.required})
        self.package_id()
        return self.info.package_id()

    def run(self, command, env=None):
        import subprocess

        subprocess.run(command, shell=True, check=True)

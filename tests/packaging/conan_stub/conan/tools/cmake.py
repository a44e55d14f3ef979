import subprocess


def cmake_layout(conanfile):
    pass


class CMake:
    def __init__(self, conanfile):
        self.conanfile = conanfile

    def configure(self):
        subprocess.run(self.conanfile.cmake_configure, check=True, stdout=subprocess.DEVNULL)

    def build(self):
        subprocess.run(["cmake", "--build", self.conanfile.build_folder], check=True, stdout=subprocess.DEVNULL)

import fnmatch
import os
import shutil


def copy(conanfile, pattern, src, dst, excludes=None):
    excludes = [excludes] if isinstance(excludes, str) else excludes or []
    copied = []
    for folder, _, names in os.walk(src):
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, src)
            if not fnmatch.fnmatch(relative, pattern) or any(fnmatch.fnmatch(relative, exclude) for exclude in excludes):
                continue
            target = os.path.join(dst, relative)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(path, target)
            copied.append(target)
        if "*" not in pattern:
            break
    if not copied:
        raise FileNotFoundError(f"copy('{pattern}') found nothing in {src}")
    return copied

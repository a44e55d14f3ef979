// SPDX-License-Identifier: MIT
// As after <windows.h>: min and max are macros, and so are a few other words.
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define small char
#define near
#define far
#define interface struct
#include "main.cpp"

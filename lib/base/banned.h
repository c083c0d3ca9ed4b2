/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that can't be used safely here, made unusable. The build includes this file before every
 * source; the headers that declare the functions come first, so that only uses are hit. The compiler then
 * names the identifier below, which says what to use instead.
 */
#ifndef RK_BASE_BANNED_H
#define RK_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy
#undef sprintf
#undef vsprintf
#undef gets
#undef strtok
#undef atoi
#undef atol
#undef atoll
#undef atof
#undef system
#undef popen
#undef mktemp
#undef tmpnam
#undef tempnam
#undef alloca
#undef gmtime
#undef localtime
#undef ctime
#undef asctime

#define strcpy(...)    banned_strcpy_use_rk_str_or_memcpy
#define strcat(...)    banned_strcat_use_rk_str
#define strncpy(...)   banned_strncpy_use_memcpy
#define strncat(...)   banned_strncat_use_rk_str
#define stpcpy(...)    banned_stpcpy_use_rk_str
#define sprintf(...)   banned_sprintf_use_snprintf_or_rk_str_addf
#define vsprintf(...)  banned_vsprintf_use_vsnprintf
#define gets(...)      banned_gets_use_getline
#define strtok(...)    banned_strtok_use_strcspn
#define atoi(...)      banned_atoi_use_strtol
#define atol(...)      banned_atol_use_strtol
#define atoll(...)     banned_atoll_use_strtoll
#define atof(...)      banned_atof_use_strtod
#define system(...)    banned_system_use_rk_process
#define popen(...)     banned_popen_use_rk_process
#define mktemp(...)    banned_mktemp_use_mkostemp
#define tmpnam(...)    banned_tmpnam_use_mkostemp
#define tempnam(...)   banned_tempnam_use_mkostemp
#define alloca(...)    banned_alloca_use_rk_arena
#define gmtime(...)    banned_gmtime_use_gmtime_r
#define localtime(...) banned_localtime_use_localtime_r
#define ctime(...)     banned_ctime_use_strftime
#define asctime(...)   banned_asctime_use_strftime

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of libc, libm and libgcc by what a call of them can do.  Sorted:
 * they are searched.
 */
#include "library_watch.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* Their answer depends on their arguments (and on the locale, which a snapshot
 * is bound to); what they do is done to memory that the caller owns. */
static const char *const pure[] = {
    "_Exit", "_Unwind_Backtrace", "_Unwind_DeleteException",
    "_Unwind_FindEnclosingFunction", "_Unwind_ForcedUnwind", "_Unwind_GetCFA",
    "_Unwind_GetDataRelBase", "_Unwind_GetGR", "_Unwind_GetIP",
    "_Unwind_GetIPInfo", "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart", "_Unwind_GetTextRelBase",
    "_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_Resume_or_Rethrow",
    "_Unwind_SetGR", "_Unwind_SetIP", "__acos_finite", "__acosf_finite",
    "__acosh_finite", "__acoshf_finite", "__acoshl_finite", "__acosl_finite",
    "__asin_finite", "__asinf_finite", "__asinl_finite", "__assert",
    "__assert_fail", "__assert_perror_fail", "__atan2_finite",
    "__atan2f_finite", "__atan2l_finite", "__atanh_finite", "__atanhf_finite",
    "__atanhl_finite", "__chk_fail", "__cosh_finite", "__coshf_finite",
    "__coshl_finite", "__ctype_b_loc", "__ctype_get_mb_cur_max",
    "__ctype_tolower_loc", "__ctype_toupper_loc", "__cxa_finalize", "__divdc3",
    "__divsc3", "__divtc3", "__divxc3", "__errno_location", "__exp10_finite",
    "__exp10f_finite", "__exp10l_finite", "__exp2_finite", "__exp2f_finite",
    "__exp2l_finite", "__exp_finite", "__expf_finite", "__expl_finite",
    "__explicit_bzero_chk", "__fdelt_chk", "__finite", "__finitef",
    "__finitel", "__fmod_finite", "__fmodf_finite", "__fmodl_finite",
    "__fortify_fail", "__fpclassify", "__fpclassifyf", "__fpclassifyl",
    "__gcc_personality_v0", "__gmon_start__", "__hypot_finite",
    "__hypotf_finite", "__hypotl_finite", "__isinf", "__isinff", "__isinfl",
    "__isnan", "__isnanf", "__isnanl", "__isoc23_sscanf", "__isoc23_strtol",
    "__isoc23_strtoll", "__isoc23_strtoul", "__isoc23_strtoull",
    "__isoc99_sscanf", "__isoc99_vsscanf", "__issignaling", "__issignalingf",
    "__issignalingl", "__j0_finite", "__j0f_finite", "__j0l_finite",
    "__j1_finite", "__j1f_finite", "__j1l_finite", "__jn_finite",
    "__jnf_finite", "__jnl_finite", "__log10_finite", "__log10f_finite",
    "__log10l_finite", "__log2_finite", "__log2f_finite", "__log2l_finite",
    "__log_finite", "__logf_finite", "__logl_finite", "__longjmp_chk",
    "__memcpy_chk", "__memmove_chk", "__mempcpy_chk", "__memset_chk",
    "__muldc3", "__mulsc3", "__multc3", "__mulxc3", "__popcountdi2",
    "__pow_finite", "__powf_finite", "__powidf2", "__powisf2", "__powixf2",
    "__powl_finite", "__rawmemchr", "__remainder_finite",
    "__remainderf_finite", "__remainderl_finite", "__scalb_finite",
    "__scalbf_finite", "__scalbl_finite", "__sched_cpualloc",
    "__sched_cpucount", "__sched_cpufree", "__signbit", "__signbitf",
    "__signbitl", "__sigsetjmp", "__sinh_finite", "__sinhf_finite",
    "__sinhl_finite", "__snprintf_chk", "__sprintf_chk", "__sqrt_finite",
    "__sqrtf_finite", "__sqrtl_finite", "__stack_chk_fail", "__stpcpy_chk",
    "__stpncpy_chk", "__strcat_chk", "__strcpy_chk", "__strncat_chk",
    "__strncpy_chk", "__strtod_internal", "__strtok_r", "__strtol_internal",
    "__strtoll_internal", "__strtoul_internal", "__strtoull_internal",
    "__tls_get_addr", "__vsnprintf_chk", "__vsprintf_chk", "__xpg_basename",
    "__xpg_strerror_r", "_dl_find_object", "_exit", "_longjmp", "_setjmp",
    "a64l", "abort", "abs", "acos", "acosf", "acosh", "acoshf", "acoshl",
    "acosl", "adler32", "asctime_r", "asin", "asinf", "asinh", "asinhf",
    "asinhl", "asinl", "atan", "atan2", "atan2f", "atan2l", "atanf", "atanh",
    "atanhf", "atanhl", "atanl", "atof", "atoi", "atol", "atoll", "basename",
    "bcmp", "bcopy", "bsearch", "bzero", "cabs", "cabsf", "cabsl", "cacos",
    "cacosf", "cacosh", "cacoshf", "cacoshl", "cacosl", "carg", "cargf",
    "cargl", "casin", "casinf", "casinh", "casinhf", "casinhl", "casinl",
    "catan", "catanf", "catanh", "catanhf", "catanhl", "catanl", "cbrt",
    "cbrtf", "cbrtl", "ccos", "ccosf", "ccosh", "ccoshf", "ccoshl", "ccosl",
    "ceil", "ceilf", "ceill", "cexp", "cexpf", "cexpl", "cimag", "cimagf",
    "cimagl", "clog", "clog10", "clog10f", "clog10l", "clogf", "clogl",
    "compress", "compressBound", "conj", "conjf", "conjl", "copysign",
    "copysignf", "copysignl", "cos", "cosf", "cosh", "coshf", "coshl", "cosl",
    "cpow", "cpowf", "cpowl", "cproj", "cprojf", "cprojl", "crc32",
    "crc32_combine", "creal", "crealf", "creall", "csin", "csinf", "csinh",
    "csinhf", "csinhl", "csinl", "csqrt", "csqrtf", "csqrtl", "ctan", "ctanf",
    "ctanh", "ctanhf", "ctanhl", "ctanl", "ctime_r", "deflate", "deflateEnd",
    "deflateInit2_", "deflateInit_", "deflateReset", "difftime", "dirname",
    "div", "dl_iterate_phdr", "dladdr", "drem", "dremf", "dreml", "ecvt",
    "erf", "erfc", "erfcf", "erfcl", "erff", "erfl", "exit", "exp", "exp10",
    "exp10f", "exp10l", "exp2", "exp2f", "exp2l", "expf", "expl",
    "explicit_bzero", "expm1", "expm1f", "expm1l", "fabs", "fabsf", "fabsl",
    "fcvt", "fdim", "fdimf", "fdiml", "feclearexcept", "fegetenv",
    "fegetexceptflag", "fegetround", "feholdexcept", "feraiseexcept",
    "fesetenv", "fesetexceptflag", "fesetround", "fetestexcept", "feupdateenv",
    "ffs", "ffsl", "ffsll", "finite", "finitef", "finitel", "floor", "floorf",
    "floorl", "fma", "fmaf", "fmal", "fmax", "fmaxf", "fmaxl", "fmin", "fminf",
    "fminl", "fmod", "fmodf", "fmodl", "fnmatch", "freelocale", "frexp",
    "frexpf", "frexpl", "gamma_r", "gamma_rf", "gamma_rl", "gcvt", "getopt",
    "getpagesize", "getsubopt", "gmtime_r", "htonl", "htons", "hypot",
    "hypotf", "hypotl", "ilogb", "ilogbf", "ilogbl", "index", "inet_aton",
    "inet_ntop", "inet_pton", "inflate", "inflateEnd", "inflateInit2_",
    "inflateInit_", "inflateReset", "isalnum", "isalnum_l", "isalpha",
    "isalpha_l", "isascii", "isblank", "iscntrl", "isdigit", "isdigit_l",
    "isgraph", "isinf", "isinff", "isinfl", "islower", "islower_l", "isnan",
    "isnanf", "isnanl", "isprint", "ispunct", "isspace", "isspace_l",
    "isupper", "isupper_l", "iswalnum", "iswalpha", "iswdigit", "iswlower",
    "iswspace", "iswupper", "isxdigit", "isxdigit_l", "j0", "j0f", "j0l", "j1",
    "j1f", "j1l", "jn", "jnf", "jnl", "l64a", "labs", "ldexp", "ldexpf",
    "ldexpl", "ldiv", "lfind", "lgamma_r", "lgamma_rf", "lgamma_rl", "llabs",
    "lldiv", "llrint", "llrintf", "llrintl", "llround", "llroundf", "llroundl",
    "localeconv", "log", "log10", "log10f", "log10l", "log1p", "log1pf",
    "log1pl", "log2", "log2f", "log2l", "logb", "logbf", "logbl", "logf",
    "logl", "longjmp", "lrint", "lrintf", "lrintl", "lround", "lroundf",
    "lroundl", "lsearch", "malloc_trim", "memccpy", "memchr", "memcmp",
    "memcpy", "memmem", "memmove", "mempcpy", "memrchr", "memset", "modf",
    "modff", "modfl", "nan", "nanf", "nanl", "nearbyint", "nearbyintf",
    "nearbyintl", "nextafter", "nextafterf", "nextafterl", "nexttoward",
    "nexttowardf", "nexttowardl", "ntohl", "ntohs", "pow", "pow10", "pow10f",
    "pow10l", "powf", "powl", "pthread_attr_destroy", "pthread_attr_init",
    "pthread_cond_broadcast", "pthread_cond_destroy", "pthread_cond_init",
    "pthread_cond_signal", "pthread_condattr_destroy", "pthread_condattr_init",
    "pthread_condattr_setclock", "pthread_equal", "pthread_getspecific",
    "pthread_mutex_destroy", "pthread_mutex_init", "pthread_mutex_lock",
    "pthread_mutex_trylock", "pthread_mutex_unlock",
    "pthread_mutexattr_destroy", "pthread_mutexattr_init",
    "pthread_mutexattr_setprotocol", "pthread_mutexattr_setpshared",
    "pthread_mutexattr_setrobust", "pthread_mutexattr_settype", "pthread_once",
    "pthread_rwlock_destroy", "pthread_rwlock_init", "pthread_rwlock_rdlock",
    "pthread_rwlock_tryrdlock", "pthread_rwlock_trywrlock",
    "pthread_rwlock_unlock", "pthread_rwlock_wrlock",
    "pthread_rwlockattr_destroy", "pthread_rwlockattr_init",
    "pthread_setcancelstate", "pthread_setspecific", "pthread_spin_destroy",
    "pthread_spin_init", "pthread_spin_lock", "pthread_spin_trylock",
    "pthread_spin_unlock", "qsort", "qsort_r", "raise", "rawmemchr", "regcomp",
    "regerror", "regexec", "regfree", "remainder", "remainderf", "remainderl",
    "remquo", "remquof", "remquol", "rindex", "rint", "rintf", "rintl",
    "round", "roundeven", "roundevenf", "roundevenl", "roundf", "roundl",
    "scalb", "scalbf", "scalbl", "scalbln", "scalblnf", "scalblnl", "scalbn",
    "scalbnf", "scalbnl", "sched_yield", "sem_destroy", "sem_getvalue",
    "sem_init", "sem_post", "sem_trywait", "setjmp", "sigaddset", "sigdelset",
    "sigemptyset", "sigfillset", "sigismember", "siglongjmp", "significand",
    "significandf", "significandl", "sigsetjmp", "sin", "sincos", "sincosf",
    "sincosl", "sinf", "sinh", "sinhf", "sinhl", "sinl", "snprintf", "sprintf",
    "sqrt", "sqrtf", "sqrtl", "sscanf", "stpcpy", "stpncpy", "strcasecmp",
    "strcasestr", "strcat", "strchr", "strchrnul", "strcmp", "strcoll",
    "strcoll_l", "strcpy", "strcspn", "strerror", "strerror_l", "strerror_r",
    "strlen", "strncasecmp", "strncat", "strncmp", "strncpy", "strnlen",
    "strpbrk", "strrchr", "strsep", "strsignal", "strspn", "strstr", "strtod",
    "strtod_l", "strtof", "strtof_l", "strtoimax", "strtok", "strtok_r",
    "strtol", "strtold", "strtold_l", "strtoll", "strtoul", "strtoull",
    "strtoumax", "strverscmp", "strxfrm", "strxfrm_l", "swab", "tan", "tanf",
    "tanh", "tanhf", "tanhl", "tanl", "tdelete", "tfind", "tgamma", "tgammaf",
    "tgammal", "timegm", "toascii", "tolower", "tolower_l", "toupper",
    "toupper_l", "towlower", "towupper", "trunc", "truncf", "truncl",
    "tsearch", "twalk", "uncompress", "vsnprintf", "vsprintf", "vsscanf",
    "wcscat", "wcschr", "wcscmp", "wcscpy", "wcslen", "wcsncmp", "wcsncpy",
    "wcsrchr", "wcsstr", "wcstod", "wcstol", "wcstoul", "wmemchr", "wmemcmp",
    "wmemcpy", "wmemmove", "wmemset", "y0", "y0f", "y0l", "y1", "y1f", "y1l",
    "yn", "ynf", "ynl", "zError", "zlibVersion",
};

/* What tearing an object down could be noticed by, and what gives or touches
 * the files, sockets and threads that it would be noticed with. */
static const char *const output[] = {
    "__fxstat", "__fxstat64", "__open64_2", "__open_2", "__printf_chk",
    "__syslog_chk", "__vprintf_chk", "accept", "accept4", "chmod", "chown",
    "closelog", "connect", "creat", "creat64", "dup", "dup2", "dup3",
    "epoll_create", "epoll_create1", "eventfd", "execv", "execve", "execvp",
    "fclose", "fcloseall", "fcntl", "fcntl64", "fdatasync", "fdopen", "fflush",
    "fileno", "fopen", "fopen64", "fork", "fputc", "fputs", "freopen",
    "freopen64", "fseek", "fseeko", "fseeko64", "fstat", "fstat64", "fsync",
    "ftell", "ftruncate", "ftruncate64", "fwrite", "fwrite_unlocked", "ioctl",
    "isatty", "kill", "killpg", "link", "lseek", "lseek64", "memfd_create",
    "mkdir", "mkostemp", "mkostemp64", "mkstemp", "mkstemp64", "mq_unlink",
    "msync", "open", "open64", "openat", "openat64", "opendir", "pclose",
    "pipe", "pipe2", "popen", "posix_spawn", "printf", "pthread_cancel",
    "pthread_create", "pthread_join", "pthread_kill", "putc", "putchar",
    "puts", "pwrite", "pwrite64", "pwritev", "remove", "rename", "renameat",
    "rmdir", "sem_unlink", "send", "sendfile", "sendfile64", "sendmmsg",
    "sendmsg", "sendto", "setbuf", "setvbuf", "shm_open", "shm_unlink",
    "shutdown", "socket", "socketpair", "symlink", "syslog", "system",
    "tcsetattr", "timerfd_create", "tmpfile", "tmpfile64", "truncate",
    "truncate64", "unlink", "unlinkat", "utimes", "vfork", "vprintf", "write",
    "writev",
};

/* What prints without having been given anything to print to. */
static const char *const print[] = {
    "PyFile_WriteObject", "PyFile_WriteString", "PyRun_SimpleString",
    "PyRun_SimpleStringFlags", "PySys_FormatStderr", "PySys_FormatStdout",
    "PySys_WriteStderr", "PySys_WriteStdout", "_ZSt4cerr", "_ZSt4clog",
    "_ZSt4cout", "__dprintf_chk", "__printf_chk", "__vprintf_chk", "dprintf",
    "perror", "printf", "putchar", "puts", "vprintf",
};
/* clang-format on */

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

/* Of libstdc++: strings, containers, exceptions, and what the compiler calls
 * for the language itself; not its streams, threads and clocks. */
static bool
is_pure_cxx(const char *name)
{
    static const char *const starts[] = {
        "_ZNKSs",
        "_ZNKSt10bad_typeid",
        "_ZNKSt11logic_error",
        "_ZNKSt13runtime_error",
        "_ZNKSt16bad_array_new_length",
        "_ZNKSt3_V214error_category",
        "_ZNKSt7__cxx1112basic_string",
        "_ZNKSt8__detail20_Prime_rehash_policy",
        "_ZNKSt8bad_cast",
        "_ZNKSt9bad_alloc",
        "_ZNKSt9exception",
        "_ZNKSt9type_info",
        "_ZNSs",
        "_ZNSt10bad_typeid",
        "_ZNSt11logic_error",
        "_ZNSt11range_error",
        "_ZNSt12domain_error",
        "_ZNSt12length_error",
        "_ZNSt12out_of_range",
        "_ZNSt13bad_exception",
        "_ZNSt13runtime_error",
        "_ZNSt14overflow_error",
        "_ZNSt15__exception_ptr",
        "_ZNSt15underflow_error",
        "_ZNSt16invalid_argument",
        "_ZNSt17bad_function_call",
        "_ZNSt20bad_array_new_length",
        "_ZNSt3_V214error_category",
        "_ZNSt6locale",
        "_ZNSt7__cxx1112basic_string",
        "_ZNSt8__detail15_List_node_base",
        "_ZNSt8bad_cast",
        "_ZNSt9bad_alloc",
        "_ZNSt9exception",
        "_ZNSt9type_info",
        "_ZSt11_Hash_bytes",
        "_ZSt13_Rb_tree_",
        "_ZSt14get_unexpected",
        "_ZSt16__throw_",
        "_ZSt17__throw_",
        "_ZSt17current_exception",
        "_ZSt17rethrow_exception",
        "_ZSt18_Rb_tree_",
        "_ZSt18uncaught_exception",
        "_ZSt19__throw_",
        "_ZSt19uncaught_exceptions",
        "_ZSt20__throw_",
        "_ZSt21__throw_",
        "_ZSt24__throw_",
        "_ZSt25__throw_",
        "_ZSt28_Rb_tree_",
        "_ZSt29_Rb_tree_",
        "_ZSt9terminatev",
        "_Znam",
        "_Znwm",
        "_Zda",
        "_Zdl",
        "__cxa_allocate_",
        "__cxa_bad_",
        "__cxa_begin_catch",
        "__cxa_call_",
        "__cxa_current_exception",
        "__cxa_deleted_virtual",
        "__cxa_demangle",
        "__cxa_end_c",
        "__cxa_free_",
        "__cxa_get_",
        "__cxa_guard_",
        "__cxa_init_primary",
        "__cxa_pure_virtual",
        "__cxa_rethrow",
        "__cxa_throw",
        "__cxa_vec_",
        "__dynamic_cast",
        "__gxx_personality_",
        "__once_proxy",
    };

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncmp(name, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    return false;
}

bool
pexcz_library_is_pure(const char *name)
{
    if (name[0] == '_' && is_pure_cxx(name)) {
        return true;
    }
    return bsearch(name, pure, sizeof(pure) / sizeof(pure[0]), sizeof(pure[0]),
                   compare)
           != NULL;
}

bool
pexcz_library_is_output(const char *name)
{
    return bsearch(name, output, sizeof(output) / sizeof(output[0]),
                   sizeof(output[0]), compare)
           != NULL;
}

bool
pexcz_library_is_print(const char *name)
{
    return bsearch(name, print, sizeof(print) / sizeof(print[0]),
                   sizeof(print[0]), compare)
           != NULL;
}

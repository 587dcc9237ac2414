/* sound: decoding by libsndfile, the mean of the channels, and a check that all of the sound is
 * there.
 *
 *     s[t] = 1 / channels * sum over c of x[t, c]       x: whole numbers / 2^(bits - 1), or reals
 *
 * A cut file must not pass as a short one. libsndfile counts the samples that a cut wav file still
 * has and says nothing, so the size of its chunk `data` is compared with what is there. Programs
 * that write into a pipe don't know the size and write one of nearly 2^31 or 2^32: those files are
 * whole. Files of flac, ogg and mp3 end early while they are read; of other kinds, of which nothing
 * would tell, only caf is taken. */
#include "io/audio/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/audio/resampler.h"
#include "io/file.h"
#include "io/magic.h"

enum { BLOCK = 4096, CHANNELS_MOST = 256 };

struct ls_sound {
    char *path;
    SNDFILE *file;
    SF_INFO info;
    sf_count_t got;          /* samples read of each channel */
    ls_resampler *resampler; /* NULL: the rate is the file's */
    long rate;
    float *block; /* [BLOCK, channels] */
    float *mono;  /* [BLOCK] to be resampled: `at` to `end` are left */
    long at, end;
    long made; /* samples that were resampled */
    bool over; /* the file is read to its end */
};

void ls_sound_close(ls_sound *sound)
{
    if (!sound)
        return;
    if (sound->file)
        sf_close(sound->file);
    ls_resampler_free(sound->resampler);
    ls_free(sound->block);
    ls_free(sound->mono);
    ls_free(sound->path);
    ls_free(sound);
}

/* A number of 32 bits; RIFX files have the highest byte first. */
static int64_t number(const unsigned char *byte, bool highest_first)
{
    int64_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | byte[highest_first ? i : 3 - i];
    return value;
}

/* Whether a size of the chunk `data` stands for one that the writing program did not know. */
static bool is_unknown(int64_t size)
{
    enum { NEAR = 0x10000 };
    return (size > (INT64_C(1) << 31) - NEAR && size <= INT64_C(1) << 31) ||
           size > (INT64_C(1) << 32) - NEAR;
}

/* Walks through the chunks of a wav file of `size` bytes: whether it ends before its chunk `data`
 * does. Other kinds of files, and those without such a chunk, are not cut. */
static bool is_cut(int file, int64_t size, int64_t *promised, int64_t *there)
{
    enum { HEAD = 12, CHUNK = 8, CHUNKS_MOST = 1 << 16 };
    unsigned char head[HEAD], chunk[CHUNK], wide[16]; /* a chunk has a name and a size */
    if (ls_file_read_at(file, head, HEAD, 0) != HEAD || memcmp(head + CHUNK, "WAVE", 4) != 0)
        return false;
    const bool high = memcmp(head, "RIFX", 4) == 0;
    int64_t at = HEAD, all = 0; /* bytes of sound, as files of the kind RF64 say it */
    for (int i = 0; i < CHUNKS_MOST && ls_file_read_at(file, chunk, CHUNK, at) == CHUNK; i++) {
        *promised = number(chunk + 4, high);
        at += CHUNK;
        *there = size - at;
        if (memcmp(chunk, "data", 4) == 0) {
            *promised = is_unknown(*promised) ? all : *promised;
            return *there < *promised;
        }
        if (memcmp(chunk, "ds64", 4) == 0 &&
            ls_file_read_at(file, wide, sizeof wide, at) == sizeof wide)
            all = number(wide + 8, false) + INT64_C(0x100000000) * (wide[12] | wide[13] << 8);
        at += *promised + *promised % 2;
    }
    return false;
}

/* Opens the path as a descriptor: a regular file that is not empty. */
static int open_file(const char *path, ls_error *error)
{
    struct stat about;
    char head[512];
    int file = ls_file_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0), reason = errno;
    if (file < 0) {
        ls_error_set(error, ls_file_open_code(reason), "%s: can't open: %s", path,
                     strerror(reason));
        return -1;
    }
    const char *found = NULL;
    int64_t promised, there;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        found = S_ISDIR(about.st_mode) ? "a folder" : "no regular file";
    else if (about.st_size == 0)
        found = "an empty file";
    else {
        ssize_t size = ls_file_read_at(file, head, sizeof head, 0);
        found = size > 0 ? ls_magic_name(head, (size_t)size) : NULL;
    }
    if (!found && !is_cut(file, about.st_size, &promised, &there))
        return file;
    if (found)
        ls_error_set(error, LS_DATA, "%s: is %s; expected a sound: wav, flac or ogg", path, found);
    else
        ls_error_set(error, LS_DATA,
                     "%s: is cut off: its header promises %lld bytes of sound, %lld are there",
                     path, (long long)promised, (long long)there);
    ls_file_close(file);
    return -1;
}

/* Whether a file of this format of libsndfile that is cut off is noticed. */
static bool is_checked(int format)
{
    static const int kinds[] = {SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_FLAC,
                                SF_FORMAT_OGG, SF_FORMAT_MPEG,  SF_FORMAT_CAF};
    size_t k = 0;
    while (k < sizeof kinds / sizeof *kinds && (format & SF_FORMAT_TYPEMASK) != kinds[k])
        k++;
    return k < sizeof kinds / sizeof *kinds;
}

static bool check(ls_sound *s, ls_error *error)
{
    const SF_INFO *info = &s->info;
    SF_FORMAT_INFO kind = {.format = info->format & SF_FORMAT_TYPEMASK};
    if (!is_checked(info->format))
        return ls_error_set(
            error, LS_DATA,
            "%s: is of the kind %s; expected wav, flac or ogg: of others nothing "
            "tells whether they are whole, so convert it",
            s->path,
            sf_command(NULL, SFC_GET_FORMAT_INFO, &kind, sizeof kind) == 0 ? kind.name : "unknown");
    if (info->channels < 1 || info->channels > CHANNELS_MOST || info->samplerate < 1 ||
        info->samplerate > LS_SOUND_RATE_MOST)
        return ls_error_set(error, LS_DATA,
                            "%s: has %d channels of %d samples a second; expected 1 to %d channels "
                            "of up to %d",
                            s->path, info->channels, info->samplerate, CHANNELS_MOST,
                            LS_SOUND_RATE_MOST);
    return info->frames > 0 || ls_error_set(error, LS_DATA, "%s: holds no samples", s->path);
}

ls_sound *ls_sound_open(const char *path, long rate, ls_error *error)
{
    int file = open_file(path, error);
    if (file < 0)
        return NULL;
    ls_sound *s = ls_alloc(1, sizeof *s);
    s->path = ls_copy_string(path);
    s->file = sf_open_fd(file, SFM_READ, &s->info, 1); /* closes it, where it fails too */
    bool ok = s->file ? check(s, error)
                      : ls_error_set(error, LS_DATA, "%s: no sound that libsndfile can read: %s",
                                     path, sf_strerror(NULL));
    s->rate = rate ? rate : s->info.samplerate;
    if (ok && s->rate != s->info.samplerate) {
        s->resampler = ls_resampler_create(s->info.samplerate, s->rate, error);
        ok = s->resampler || ls_error_prefix(error, "%s", path);
    }
    if (!ok) {
        ls_sound_close(s);
        return NULL;
    }
    s->block = ls_alloc((size_t)BLOCK * (size_t)s->info.channels, sizeof *s->block);
    s->mono = ls_alloc(BLOCK, sizeof *s->mono);
    return s;
}

long ls_sound_resampled(long n, long from, long to)
{
    return (long)((double)n * (double)to / (double)from);
}

long ls_sound_rate(const ls_sound *sound)
{
    return sound->rate;
}

/* Reads up to n <= BLOCK samples at the file's own rate. */
static long read_mono(ls_sound *s, long n, float *samples, ls_error *error)
{
    long got = sf_readf_float(s->file, s->block, n), channels = s->info.channels;
    if (sf_error(s->file) != SF_ERR_NO_ERROR || got < 0 ||
        (got < n && s->got + got != s->info.frames)) {
        const char *reason = sf_error(s->file) == SF_ERR_NO_ERROR ? "" : sf_strerror(s->file);
        char promised[64] = "";
        if (s->info.frames < SF_COUNT_MAX) /* as ogg has it where its end is missing */
            snprintf(promised, sizeof promised, ": its header promises %lld",
                     (long long)s->info.frames);
        ls_error_set(error, LS_DATA, "%s: is %s after sample %ld%s%s%s", s->path,
                     *promised ? "damaged" : "cut off", (long)s->got + (got > 0 ? got : 0),
                     promised, *reason ? "; " : "", reason);
        return -1;
    }
    for (long t = 0; t < got; t++) {
        float sum = 0;
        for (long c = 0; c < channels; c++)
            sum += s->block[t * channels + c];
        samples[t] = sum / (float)channels;
        if (!isfinite(samples[t])) {
            ls_error_set(error, LS_DATA, "%s: sample %ld is not finite", s->path,
                         (long)s->got + t + 1);
            return -1;
        }
    }
    s->got += got;
    s->over = got < n;
    return got;
}

/* Fills the block of samples that wait to be resampled, where it is empty. */
static bool fill(ls_sound *s, ls_error *error)
{
    if (s->at < s->end || s->over)
        return true;
    s->at = 0;
    s->end = read_mono(s, BLOCK, s->mono, error);
    return s->end >= 0;
}

static long read_resampled(ls_sound *s, long n, float *samples, ls_error *error)
{
    long done = 0;
    while (done < n) {
        if (!fill(s, error))
            return -1;
        long taken, got = ls_resampler_run(s->resampler, s->mono + s->at, s->end - s->at, s->over,
                                           &taken, samples + done, n - done);
        s->at += taken;
        done += got;
        if (got == 0 && taken == 0 && s->over)
            break;
    }
    s->made += done;
    if (s->over) {
        long all = ls_sound_resampled((long)s->got, s->info.samplerate, s->rate);
        long over = s->made > all ? s->made - all : 0;
        done = over < done ? done - over : 0;
    }
    return done;
}

static long read_plain(ls_sound *s, long n, float *samples, ls_error *error)
{
    long done = 0;
    while (done < n && !s->over) {
        long left = n - done;
        long got = read_mono(s, left < BLOCK ? left : BLOCK, samples + done, error);
        if (got < 0)
            return -1;
        done += got;
    }
    return done;
}

long ls_sound_read(ls_sound *s, long n, float *samples, ls_error *error)
{
    return s->resampler ? read_resampled(s, n, samples, error) : read_plain(s, n, samples, error);
}

// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// The kernels, and parts of checks, in kernels/generic/.

#ifndef MIDGE_KERNELS_H
#define MIDGE_KERNELS_H

void midge_conv(const midge_call_t *call);
void midge_depthwise_conv(const midge_call_t *call);
void midge_pool(const midge_call_t *call);
void midge_mean(const midge_call_t *call);
void midge_add(const midge_call_t *call);
void midge_softmax(const midge_call_t *call);
void midge_lut(const midge_call_t *call);
void midge_pad(const midge_call_t *call);
void midge_copy(const midge_call_t *call);
void midge_constant(const midge_call_t *call);
void midge_arithmetic(const midge_call_t *call);
void midge_requantize(const midge_call_t *call);
void midge_select(const midge_call_t *call);
void midge_conv16(const midge_call_t *call);
void midge_pool16(const midge_call_t *call);
void midge_mean16(const midge_call_t *call);
void midge_softmax16(const midge_call_t *call);
void midge_sigmoid16(const midge_call_t *call);
void midge_batch_matmul(const midge_call_t *call);
void midge_lstm(const midge_call_t *call);
void midge_svdf(const midge_call_t *call);
void midge_log_softmax(const midge_call_t *call);
void midge_arg_max(const midge_call_t *call);
void midge_resize_nearest(const midge_call_t *call);
void midge_resize_bilinear(const midge_call_t *call);
void midge_l2_normalization(const midge_call_t *call);
void midge_div(const midge_call_t *call);
void midge_cumsum(const midge_call_t *call);
void midge_gather(const midge_call_t *call);
void midge_trees(const midge_call_t *call);
void midge_scores(const midge_call_t *call);
void midge_affine(const midge_call_t *call);
void midge_scale_floats(const midge_call_t *call);
void midge_distances(const midge_call_t *call);
void midge_nearest(const midge_call_t *call);
void midge_votes(const midge_call_t *call);
void midge_codes(const midge_call_t *call);
void midge_spectrum(const midge_call_t *call);
void midge_filter_bank(const midge_call_t *call);
void midge_magnitudes(const midge_call_t *call);
void midge_cepstrum(const midge_call_t *call);
void midge_log_mel(const midge_call_t *call);
void midge_series_features(const midge_call_t *call);
void midge_series_filter(const midge_call_t *call);

// Hand-written conditions of generated checks; 0 is no.
int midge_copy_reaches(const void *record, uint32_t arena_bytes);
int midge_resize_inside(const void *record, uint32_t arena_bytes);

#endif

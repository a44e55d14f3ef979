// SPDX-License-Identifier: MIT
// Only pointers and sizes cross the border of this file: it is compiled with other flags than the rest, and with an Eigen of its own (CMakeLists.txt).
#include "eigen_kernels.hpp"

#include <algorithm>
#include <ctime>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

namespace eigen_kernels {

namespace {

template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

Eigen::Index index(std::size_t n) { return static_cast<Eigen::Index>(n); }

template <typename T>
Eigen::Map<const Matrix<T>> matrix(const T* values, std::size_t rows, std::size_t cols) {
  return {values, index(rows), index(cols)};
}
template <typename T>
Eigen::Map<Matrix<T>> matrix(T* values, std::size_t rows, std::size_t cols) {
  return {values, index(rows), index(cols)};
}

template <typename T>
void rank_update_of(T* start, const T* rows, std::size_t n, std::size_t k) {
  matrix(start, k, k).template selfadjointView<Eigen::Upper>().rankUpdate(matrix(rows, n, k).transpose());
}

template <typename V>
double rate() {
  V sums[12];
  for (std::size_t n = 0; n < 12; ++n) sums[n] = V{} + static_cast<float>(n);
  const V factor = V{} + 0.999F, term = V{} + 1e-4F;
  constexpr std::size_t lanes = sizeof(V) / sizeof(float);
  constexpr std::size_t steps = 40'000'000 / lanes / 4;
  const std::clock_t start = std::clock();  // of the processor: nothing else runs in this process
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (std::size_t n = 0; n < 12; ++n) {
      if constexpr (lanes == 4) {
        sums[n] *= factor;
        __asm__("" : "+x"(sums[n]));  // two instructions, as without fused ones
        sums[n] += term;
      } else {
        sums[n] = sums[n] * factor + term;
      }
    }
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  volatile float kept = 0.0F;
  for (const V& sum : sums) kept = kept + sum[0];
  return static_cast<double>(steps * 12 * lanes * 2) / seconds;
}

typedef float Wide __attribute__((vector_size(64)));
typedef float Half __attribute__((vector_size(32)));
typedef float Quarter __attribute__((vector_size(16)));

}  // namespace

void rank_update(float* start, const float* rows, std::size_t n, std::size_t k) { rank_update_of(start, rows, n, k); }
void rank_update(double* start, const double* rows, std::size_t n, std::size_t k) { rank_update_of(start, rows, n, k); }

void row_products(float* products, const float* rows, std::size_t n, std::size_t k) {
  auto out = matrix(products, n, n);
  out.setZero();
  out.selfadjointView<Eigen::Upper>().rankUpdate(matrix(rows, n, k));
}

void solve(const float* v, const float* rhs, std::size_t size, float* x) {
  thread_local Matrix<float> system;
  system = matrix(v, size, size);
  system.diagonal().array() += 1.0F;
  const Eigen::LLT<Eigen::Ref<Matrix<float>>, Eigen::Upper> factors(system);
  Eigen::Map<Vector<float>>(x, index(size)) = factors.solve(Eigen::Map<const Vector<float>>(rhs, index(size)));
}

void gather(const float* fixed, const std::int32_t* columns, const float* scale, const float* weight, std::size_t n, std::size_t k,
            float* out) {
  const Eigen::Map<const Eigen::ArrayXf> s(scale, index(k));
  for (std::size_t row = 0; row < n; ++row) {
    const Eigen::Map<const Eigen::ArrayXf> from(fixed + static_cast<std::size_t>(columns[row]) * k, index(k));
    Eigen::Map<Eigen::ArrayXf>(out + row * k, index(k)) = from * s * weight[row];
  }
}

void combine(const float* fixed, const std::int32_t* columns, const float* coefficient, std::size_t n, std::size_t k, float* sum) {
  Eigen::Map<Vector<float>> total(sum, index(k));
  total.setZero();
  for (std::size_t row = 0; row < n; ++row)
    total += coefficient[row] * Eigen::Map<const Vector<float>>(fixed + static_cast<std::size_t>(columns[row]) * k, index(k));
}

void conjugate_gradient(const float* fixed, const std::int32_t* columns, const float* scale, const float* weight, const float* target,
                        std::size_t n, std::size_t k, std::size_t steps, float* scratch, float* z) {
  gather(fixed, columns, scale, weight, n, k, scratch);
  const auto b = matrix(static_cast<const float*>(scratch), n, k);
  Eigen::Map<Vector<float>> x(z, index(k));
  thread_local Vector<float> residual, direction, image, products;
  products = Eigen::Map<const Vector<float>>(target, index(n)) - b * x;
  residual.noalias() = b.transpose() * products;
  residual -= x;
  direction = residual;
  float squares = residual.squaredNorm();
  for (std::size_t step = 0; step < steps; ++step) {
    products.noalias() = b * direction;
    image = direction;
    image.noalias() += b.transpose() * products;
    const float length = squares / direction.dot(image);
    x += length * direction;
    residual -= length * image;
    const float next = residual.squaredNorm();
    direction = residual + (next / squares) * direction;
    squares = next;
  }
}

void multiply(const float* left, const float* right, std::size_t n, std::size_t k, float* out) {
  matrix(out, n, k).noalias() = matrix(left, n, k) * matrix(right, k, k);
}
void multiply(const double* left, const double* right, std::size_t n, std::size_t k, double* out) {
  matrix(out, n, k).noalias() = matrix(left, n, k) * matrix(right, k, k);
}

double eigenvalues(const double* symmetric, std::size_t k) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix(symmetric, k, k));
  return solver.eigenvalues()[index(k) - 1];
}

double peak(std::size_t bytes) {
  double best = 0.0;
  for (int round = 0; round < 5; ++round)
    best = (std::max)(best, bytes == 64 ? rate<Wide>() : bytes == 32 ? rate<Half>() : rate<Quarter>());
  return best;
}

}  // namespace eigen_kernels
